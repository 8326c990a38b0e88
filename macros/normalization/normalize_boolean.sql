{% macro normalize_boolean(expr) -%}
    {%- set words = {
        'true': ['true', 't', 'yes', 'y', '1', '1.0', 'on', 'oui', 'o', 'vrai', 'ja', 'wahr', 'si'],
        'false': [
            'false', 'f', 'no', 'n', '0', '0.0', 'off', 'non', 'faux', 'nein', 'falsch', 'nee',
        ],
    } -%}
    cast({{ map_values(expr, words) }} as boolean)
{%- endmacro %}
