{% macro normalize_phone(expr, country=none) -%}
    {%- set home = "'" ~ var('default_country') ~ "'" -%}
    {%- set plans = phone_plans() -%}
    {%- set space = character_class('space') -%}
    {%- set invisible = character_class('invisible') ~ character_class('direction') -%}
    {%- set digits = '0123456789' -%}
    {%- set foreign = '\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669'
        ~ '\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9'
        ~ '\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f'
        ~ '\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff0b\uff08\uff09\uff0d\uff0e\uff0f' -%}
    {%- set folded = "lower(translate(" ~ regexp_replace_all(expr, '[' ~ invisible ~ ']+', '') ~ ", '" ~ foreign ~ "', '" ~ digits * 4 ~ "+()-./'))" -%}
    {%- set trunk_codes = [] -%}
    {%- for plan in plans.values() if plan.trunk == '0' -%}{%- do trunk_codes.append(plan.code) -%}{%- endfor -%}
    {%- set gap = ' ()./\u2010-\u2015\u2212-' -%}
    {%- set steps = [
        ('[' ~ space ~ ']+', ' '),
        (' / ', '?'),
        ("^[ '\u2019]*(?:tel[.: ]*)?", ''),
        ('[ .,]*(?:extension|ext|poste|x|#)[.: ]*[0-9]{1,6} *$', ''),
        ('^([+]?[0-9]{7,15})[.]0$', '\\1'),
        ('^.*[^0-9+' ~ gap ~ '].*$', ''),
        ('[' ~ gap ~ ']+', ''),
    ] -%}
    {%- set ns = namespace(text=folded, plain=expr) -%}
    {%- for pattern, replacement in steps -%}
        {%- set ns.text = regexp_replace_all(ns.text, pattern, replacement) -%}
    {%- endfor -%}
    {%- for sign in [' ', '.', '-', '(', ')'] -%}
        {%- set ns.plain = 'replace(' ~ ns.plain ~ ", '" ~ sign ~ "', '')" -%}
    {%- endfor -%}
    {%- set digits = 'case when ' ~ regexp_matches(expr, '^[+0(]?[0-9 ()-]*(?:[.][0-9]{2,}[0-9 ().-]*)?$')
        ~ ' then ' ~ ns.plain ~ ' else ' ~ ns.text ~ ' end' -%}
    {%- set dialled = "case when dialled_digits like '00%' then '+' || substring(dialled_digits, 3)"
        ~ " else dialled_digits end" -%}
    {%- set valid = '^' ~ phone_pattern() ~ '$' -%}
    {%- set code = 'substring(phone_plan, 3)' -%}
    {%- set first = "case when phone_digits like '+%' then "
        ~ regexp_replace_all('phone_digits', '^[+](' ~ trunk_codes | join('|') ~ ')0', '+\\1')
        ~ " when phone_plan like 't%' and phone_digits like '0%' then '+' || " ~ code ~ ' || substring(phone_digits, 2)'
        ~ " when phone_plan like '_b%' then '+' || " ~ code ~ ' || phone_digits end' -%}
    {%- set second = 'case when phone_digits like ' ~ code ~ " || '%' then '+' || phone_digits end" -%}
    case
        when {{ regexp_matches(expr, valid) }} then {{ expr }}
        else {{ bind_value('dialled_digits', digits, bind_value('phone_digits', dialled, bind_value(
            'phone_plan',
            phone_plan_of(country or home),
            'coalesce(' ~ regexp_extract(first, valid) ~ ', ' ~ regexp_extract(second, valid) ~ ')'
        ))) }}
    end
{%- endmacro %}
