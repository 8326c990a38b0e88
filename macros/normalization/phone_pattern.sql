{% macro phone_pattern() %}
    {%- set codes = {} -%}
    {%- for plan in phone_plans().values() -%}
        {%- set known = codes.get(plan.national, []) -%}
        {%- if plan.code not in known -%}
            {%- do codes.update({plan.national: known + [plan.code]}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set numbers = [] -%}
    {%- for national, calling in codes.items() -%}
        {%- do numbers.append('(?:' ~ calling | join('|') ~ ')' ~ national) -%}
    {%- endfor -%}
    {%- set others = '(?:20|21[18]|22[0-9]|23[0-9]|24[0-9]|25[0-8]|26[013-9]|27|29[01789]'
        ~ '|35[045679]|36|37[0-689]|38[0-35-79]|423|5[134678]|50[0-9]|59[1235789]|6[02-6]'
        ~ '|67[02-9]|68[0-35-9]|69[0-2]|7|82|84|85[02356]|86|88[06]|92|93|94|95|96[0-8]'
        ~ '|97[0-79]|98|99[2-68])[0-9]{5,11}' -%}
    {{- return('[+](?:' ~ numbers | join('|') ~ '|' ~ others ~ ')') -}}
{% endmacro %}
