{% macro normalize_phone(expr, country=none) -%}
    {%- set invisible = character_class('invisible') ~ character_class('direction') -%}
    {%- set gap = ' ()./\u2010-\u2015\u2212-' -%}
    {%- set foreign = '\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669'
        ~ '\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9'
        ~ '\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f'
        ~ '\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19'
        ~ '\uff0b\uff08\uff09\uff0d\uff0e\uff0f' -%}
    {%- set visible = regexp_replace_all(expr, '[' ~ invisible ~ ']+', '') -%}
    {%- set folded = 'lower(translate(' ~ visible ~ ", '" ~ foreign ~ "', '"
        ~ '0123456789' * 4 ~ "+()-./'))" -%}
    {%- set cleaned = regexp_replace_steps(folded, [
        ('[' ~ character_class('space') ~ ']+', ' '),
        (' / ', '?'),
        ("^[ '\u2019]*(?:tel[.: ]*)?", ''),
        ('[ .,]*(?:extension|ext|poste|x|#)[.: ]*[0-9]{1,6} *$', ''),
        ('^([+]?[0-9]{7,15})[.]0$', '\\1'),
        ('^.*[^0-9+' ~ gap ~ '].*$', ''),
        ('[' ~ gap ~ ']+', ''),
    ]) -%}
    {#- Plain text, nearly all of it, is worth a short cut: only separators to take out. -#}
    {%- set ns = namespace(plain=expr) -%}
    {%- for sign in [' ', '.', '-', '(', ')'] -%}
        {%- set ns.plain = 'replace(' ~ ns.plain ~ ", '" ~ sign ~ "', '')" -%}
    {%- endfor -%}
    {%- set is_plain = regexp_matches(
        expr, '^[+0(]?[0-9 ()-]*(?:[.][0-9]{2,}[0-9 ().-]*)?$'
    ) -%}
    {%- set digits = 'case when ' ~ is_plain ~ ' then ' ~ ns.plain ~ ' else ' ~ cleaned ~ ' end' -%}
    {%- set dialled = "case when dialled_digits like '00%' then '+' || substring(dialled_digits, 3)"
        ~ ' else dialled_digits end' -%}
    {%- set home = "'" ~ var('default_country') ~ "'" -%}
    case
        when {{ regexp_matches(expr, '^' ~ phone_pattern() ~ '$') }} then {{ expr }}
        else {{ bind_value('dialled_digits', digits, bind_value('phone_digits', dialled, bind_value(
            'phone_plan',
            phone_plan_of(country or home),
            phone_in_e164('phone_digits', 'phone_plan')
        ))) }}
    end
{%- endmacro %}
