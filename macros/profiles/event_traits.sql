{% macro event_traits() %}
    {{ return([
        {'name': 'web_event', 'channel': 'web'},
        {'name': 'app_event', 'channel': 'app'},
        {'name': 'product_view', 'event_types': ['product_view']},
        {'name': 'add_to_cart', 'event_types': ['add_to_cart']},
        {'name': 'checkout', 'event_types': ['checkout']},
        {'name': 'email_open', 'event_types': ['email_opened']},
        {'name': 'email_click', 'event_types': ['email_clicked']},
    ]) }}
{% endmacro %}
