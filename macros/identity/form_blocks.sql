{# The keys by which forms are brought together: whoever shares one is compared, unless too many
   share it (var identity_fuzzy_max_block). The short ones (a first name alone) find the
   pairs of small data and of rare values, the long ones those of millions of forms. #}
{% macro form_blocks() %}
    {% set initial = 'substr(first_name, 1, 1)' %}
    {% set birth_year = 'substr(birth_date, 1, 4)' %}
    {% set birthday = 'substr(birth_date, 5, 4)' %}
    {% set earlier_name = 'case when first_name < last_name then first_name else last_name end' %}
    {% set later_name = 'case when first_name < last_name then last_name else first_name end' %}
    {% do return({
        'first_name': ['first_name'],
        'last_name': ['last_name'],
        'names': [earlier_name, later_name],
        'name_starts': ['substr(first_name, 1, 3)', 'substr(last_name, 1, 3)'],
        'first_name_start': ['substr(first_name, 1, 3)'],
        'last_name_start': ['substr(last_name, 1, 3)'],
        'last_name_end': ['substr(last_name, 4)'],
        'birth_year': [birth_year],
        'birthday': [birthday],
        'mailbox_first_letters': ['substr(mailbox, 1, 4)'],
        'last_name_initial': ['last_name', initial],
        'first_name_initial': ['first_name', 'substr(last_name, 1, 1)'],
        'first_name_birth_year': ['first_name', birth_year],
        'last_name_birth_year': ['last_name', birth_year],
        'first_name_birthday': ['first_name', birthday],
        'last_name_birthday': ['last_name', birthday],
        'birth_date': ['birth_date'],
        'birth_date_initial': ['birth_date', initial],
        'birth_date_last_initial': ['birth_date', 'substr(last_name, 1, 1)'],
        'email': ['email'],
        'mailbox': ['mailbox'],
        'mailbox_start': ['substr(mailbox, 1, 6)'],
        'email_domain': ['email_domain'],
        'phone': ['phone'],
        'phone_end': ["substr(phone, length(phone) - 6)"],
        'phone_start': ['substr(phone, 1, length(phone) - 3)'],
        'national_id': ['national_id'],
        'national_id_start': ['substr(national_id, 1, 4)', initial],
        'national_id_end': ['substr(national_id, length(national_id) - 3)', initial],
        'street': ['street'],
        'street_end': ['substr(street, 4)', 'postcode'],
        'postcode_initial': ['postcode', initial],
        'postcode_last_initial': ['postcode', 'substr(last_name, 1, 1)'],
        'postcode_birth_year': ['postcode', birth_year],
        'city': ['city'],
        'city_last_name': ['city', 'substr(last_name, 1, 4)'],
        'city_birth_year': ['city', birth_year],
    }) %}
{% endmacro %}
