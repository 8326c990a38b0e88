{% macro attribute_groups() %}
    {{ return({
        'name': ['first_name', 'last_name', 'full_name'],
        'email': ['email'],
        'phone': ['phone'],
        'birth_date': ['birth_date'],
        'gender': ['gender'],
        'address': ['street', 'postcode', 'city', 'country'],
        'language': ['language'],
        'company': ['company_name'],
        'loyalty': ['loyalty_tier'],
    }) }}
{% endmacro %}
