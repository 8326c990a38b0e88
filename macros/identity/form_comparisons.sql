{# What is compared of two forms, and the levels of agreement, the best first: the first condition
   that holds is the level. `missing` says when nothing can be compared. A level with a `term`
   weighs more the rarer the shared value is (Nkemelu more than Smith). One text for the models,
   for the training of the weights and for the proof against Splink. #}
{% macro form_comparisons() %}
    {% set equal_or_near_city = "(l.city = r.city or " ~ is_spelled_like('city') ~ ")" %}
    {% set same_place = "(coalesce(l.postcode = r.postcode, false) or coalesce("
        ~ equal_or_near_city ~ ", false))" %}
    {% set swapped = "(l.first_name = r.last_name or l.last_name = r.first_name)" %}
    {% do return({
        'first_name': {
            'missing': 'l.first_name is null or r.first_name is null',
            'levels': [
                level('equal', 'l.first_name = r.first_name', 'first_name'),
                level('nickname', is_nickname()),
                level('swapped', swapped, 'first_name'),
                level('near', is_typed_like('first_name')),
                level('similar', is_short_for('first_name', 1) ~ ' or '
                    ~ is_spelled_like('first_name')),
            ],
        },
        'last_name': {
            'missing': 'l.last_name is null or r.last_name is null',
            'levels': [
                level('equal', 'l.last_name = r.last_name', 'last_name'),
                level('swapped', swapped, 'last_name'),
                level('near', is_typed_like('last_name')),
                level('similar', is_short_for('last_name', 4) ~ ' or '
                    ~ is_spelled_like('last_name')),
            ],
        },
        'birth_date': {
            'missing': 'l.birth_date is null or r.birth_date is null',
            'levels': [
                level('equal', 'l.birth_date = r.birth_date', 'birth_date'),
                level('generation', are_a_generation_apart()),
                level('near', edit_distance('l.birth_date', 'r.birth_date') ~ ' <= 1 or '
                    ~ is_day_month_swap()),
                level('similar', edit_distance('l.birth_date', 'r.birth_date') ~ ' <= 2 or '
                    ~ are_two_date_parts_equal()),
            ],
        },
        'gender': {
            'missing': 'l.gender is null or r.gender is null',
            'levels': [level('equal', 'l.gender = r.gender')],
        },
        'email': {
            'missing': 'l.email is null or r.email is null or ' ~ is_email_like_the_name(),
            'levels': [
                level('equal', 'l.email = r.email', 'email'),
                level('same_mailbox', 'l.mailbox = r.mailbox', 'mailbox'),
                level('own_names', are_mailboxes_of_own_names()),
                level('near', is_email_near()),
                level('similar', is_email_similar()),
                level('same_domain', 'l.email_domain = r.email_domain', 'email_domain'),
            ],
        },
        'phone': {
            'missing': 'l.phone is null or r.phone is null',
            'levels': [
                level('equal', 'l.phone = r.phone', 'phone'),
                level('near', is_typed_like('phone')),
            ],
        },
        'national_id': {
            'missing': 'l.national_id is null or r.national_id is null',
            'levels': [
                level('equal', 'l.national_id = r.national_id', 'national_id'),
                level('near', is_typed_like('national_id')),
            ],
        },
        'address': {
            'missing': 'l.street is null or r.street is null',
            'levels': [
                level('same_home', 'l.street = r.street and ' ~ same_place, 'street'),
                level('near_home', is_spelled_like('street') ~ ' and ' ~ same_place),
                level('same_street', 'l.street = r.street or ' ~ is_spelled_like('street')),
                level('same_place', same_place),
            ],
        },
        'place': {
            'missing': '(l.street is not null and r.street is not null)'
                ~ ' or ((l.postcode is null or r.postcode is null)'
                ~ ' and (l.city is null or r.city is null))',
            'levels': [
                level('same_postcode', 'l.postcode = r.postcode', 'postcode'),
                level('same_city', 'l.city = r.city', 'city'),
                level('near_city', is_spelled_like('city'), 'city'),
            ],
        },
    }) %}
{% endmacro %}

{% macro level(name, condition, term=none) %}
    {% do return({'level': name, 'condition': condition, 'term': term}) %}
{% endmacro %}
