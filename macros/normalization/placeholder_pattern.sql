{% macro placeholder_pattern(is_name=false) %}
    {%- set words = [
        'null', '[(]null[)]', '<null>', '#null!', '[\\\\]n', 'none', '[(]none[)]', 'nan', 'n/a',
        '#n/?a', 'n[.]a[.]?', '#ref!', '#value!', '#name[?]', 'undefined', '[[]object object[]]',
        'unknown', '[(]unknown[)]', 'inconnue?', 'n[ée]ant', 'aucune?', 'anonym(?:ous|e)',
        'unbekannt', 'desconocido', 'sconosciuto', 'onbekend',
        'not (?:set|available|provided|applicable)', '[(]not set[)]', '[(]blank[)]', 'empty',
        'missing', 'non renseign[ée]e?', 'vide', 'tests?', 'tb[dac]', 'to be defined', 'todo',
        'x{2,}', '-?0+(?:[.]0+)?', '-1', '[-_.?*/#]+', '0{8}-0{4}-0{4}-0{4}-0{12}',
    ] + ([] if is_name else ['na', 'nil']) -%}
    {{- return('^(?:' ~ words | join('|') ~ ')$') -}}
{% endmacro %}
