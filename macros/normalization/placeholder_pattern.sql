{% macro placeholder_pattern() %}
    {%- set words = [
        'null', '[(]null[)]', '<null>', '#null!', '[\\\\]n', 'nil', 'none', '[(]none[)]', 'nan', 'n/?a', '#n/?a',
        'n[.]a[.]?', '#ref!', '#value!', '#name[?]', 'undefined', '[[]object object[]]',
        'unknown', '[(]unknown[)]', 'inconnue?', 'n[ée]ant', 'aucune?', 'anonym(?:ous|e)', 'unbekannt',
        'desconocido', 'sconosciuto', 'onbekend',
        'not (?:set|available|provided|applicable)', '[(]not set[)]', '[(]blank[)]', 'empty', 'missing',
        'non renseign[ée]e?', 'vide', 'tests?', 'tb[dac]', 'to be defined', 'todo', 'x{2,}',
        '-?0+(?:[.]0+)?', '-1', '[-_.?*/#]+', '0{8}-0{4}-0{4}-0{4}-0{12}',
    ] -%}
    {{- return('^(?:' ~ words | join('|') ~ ')$') -}}
{% endmacro %}
