{% macro normalize_boolean(expr) -%}
    case {{ lower_text('trim(' ~ expr ~ ')') }}
        {% for word in ['true', 't', 'yes', 'y', '1', '1.0', 'on', 'oui', 'o', 'vrai', 'ja', 'wahr', 'si', 'sí', 'sì'] -%}
        when '{{ word }}' then true
        {% endfor -%}
        {% for word in ['false', 'f', 'no', 'n', '0', '0.0', 'off', 'non', 'faux', 'nein', 'falsch', 'nee'] -%}
        when '{{ word }}' then false
        {% endfor -%}
    end
{%- endmacro %}
