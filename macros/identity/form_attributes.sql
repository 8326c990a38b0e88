{# What a form states, besides what is derived from it. #}
{% macro form_attributes() %}
    {% do return([
        'first_name', 'last_name', 'birth_date', 'gender', 'email', 'phone', 'national_id',
        'street', 'postcode', 'city',
    ]) %}
{% endmacro %}
