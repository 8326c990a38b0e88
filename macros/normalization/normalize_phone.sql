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
    {%- set steps = [
        ('[' ~ space ~ ']+', ' '),
        (' / ', '?'),
        ("^[ '\u2019]*(?:tel[.: ]*)?", ''),
        ('[ .,]*(?:extension|ext|poste|x|#)[.: ]*[0-9]{1,6} *$', ''),
        ('^([+]?[0-9]{7,15})[.]0$', '\\1'),
        ('^.*[^0-9+ ()./\u2010-\u2015\u2212-].*$', ''),
        ('[ ()./\u2010-\u2015\u2212-]+', ''),
        ('^00', '+'),
        ('^[+](' ~ trunk_codes | join('|') ~ ')0', '+\\1'),
    ] -%}
    {%- set ns = namespace(text=folded) -%}
    {%- for pattern, replacement in steps -%}
        {%- set ns.text = regexp_replace_all(ns.text, pattern, replacement) -%}
    {%- endfor -%}
    {%- set candidates = candidate_phones('phone_digits', country or home) -%}
    case
        when {{ regexp_matches(expr, '^' ~ phone_pattern() ~ '$') }} then {{ expr }}
        else {{ bind_value(
            'phone_digits',
            ns.text,
            regexp_extract(candidates, '[|](' ~ phone_pattern() ~ ')[|]', 1)
        ) }}
    end
{%- endmacro %}
