{% macro normalize_gender(expr) -%}
    {{- map_values(expr, {
        'f': [
            'f', '2', 'female', 'woman', 'girl', 'mrs', 'mrs.', 'ms', 'ms.', 'miss', 'femme',
            'feminin', 'fille', 'mme', 'mme.', 'mlle', 'madame', 'mademoiselle', 'w', 'weiblich',
            'frau', 'mujer', 'femenino', 'donna', 'femmina', 'vrouw',
        ],
        'm': [
            'm', '1', 'male', 'man', 'boy', 'mr', 'mr.', 'm.', 'homme', 'h', 'masculin', 'garcon',
            'monsieur', 'mannlich', 'herr', 'hombre', 'masculino', 'uomo', 'maschio',
        ],
        'x': [
            'x', 'd', 'divers', 'diverse', 'non-binary', 'nonbinary', 'non binary', 'non binaire',
            'non-binaire', 'nb', 'other', 'autre', 'mx', 'mx.',
        ],
    }) -}}
{%- endmacro %}
