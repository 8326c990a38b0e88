{% macro normalize_status(expr) -%}
    {{- map_values(expr, {
        'completed': [
            'completed', 'complete', 'paid', 'paye', 'payee', 'fulfilled', 'shipped', 'delivered',
            'closed', 'captured', 'settled', 'expedie', 'expediee', 'livre', 'livree', 'termine',
            'terminee', 'done', 'success', 'succeeded',
        ],
        'pending': [
            'pending', 'open', 'created', 'new', 'placed', 'processing', 'in_progress', 'on_hold',
            'on-hold', 'authorized', 'awaiting_payment', 'unpaid', 'en attente', 'en cours',
        ],
        'cancelled': [
            'cancelled', 'canceled', 'cancel', 'void', 'voided', 'failed', 'expired', 'declined',
            'annule', 'annulee', 'refused', 'refuse', 'refusee',
        ],
        'refunded': [
            'refunded', 'refund', 'returned', 'return', 'rembourse', 'remboursee', 'retour',
            'retourne',
        ],
    }) -}}
{%- endmacro %}
