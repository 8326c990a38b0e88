{# By what rows of a raw table are known as somebody's. What another known customer holds or held,
   too, tells nobody's rows from theirs: a family's phone. `together`: people whose requests are
   carried out at once are no others to each other, a couple that goes as one. #}
{% macro own_identifiers(requests, together=false) -%}
    with

    requests as (

        select
            request_id,
            customer_id

        from {{ requests }}

    ),

    identities as (

        select * from {{ ref('customer_identities') }}

    ),

    held as (

        select * from {{ ref('int_rights__identifiers_ever_held') }}

    ),

    own as (

        select
            requests.request_id,
            requests.customer_id,
            held.identifier_type,
            held.identifier_value

        from requests

        inner join held
            on requests.customer_id = held.customer_id

        where
            not exists (
                select 1
                from held as others
                where
                    others.identifier_type = held.identifier_type
                    and others.identifier_value = held.identifier_value
                    and others.customer_id
                    {%- if together %}
                    not in (select requests.customer_id from requests)
                    {%- else %}
                    != held.customer_id
                    {%- endif %}
                    and not others.is_anonymous
            )

    ),

    own_records as (

        select
            requests.request_id,
            requests.customer_id,
            identities.record_key

        from requests

        inner join identities
            on requests.customer_id = identities.customer_id

        union distinct

        -- Rows that name a record which never came: a replaced cookie, an account of a log-in.
        select
            request_id,
            customer_id,
            case identifier_type
                when 'crm_contact_id' then {{ record_key('crm', 'identifier_value') }}
                when 'shop_customer_id' then {{ record_key('shop', 'identifier_value') }}
                when 'loyalty_id' then {{ record_key('pos', 'identifier_value') }}
                when 'email_subscriber_id' then {{ record_key('email', 'identifier_value') }}
                when 'support_requester_id' then {{ record_key('support', 'identifier_value') }}
                when 'survey_respondent_id' then {{ record_key('survey', 'identifier_value') }}
                when 'cookie_id' then {{ record_key('web', 'identifier_value') }}
                when 'device_id' then {{ record_key('app', 'identifier_value') }}
            end as record_key

        from own

    )

    select
        request_id,
        customer_id,
        'record' as identifier_type,
        record_key as identifier_value

    from own_records

    where record_key is not null

    union all

    select * from own

    union all

    -- Third parties know people by the hash of their address.
    select
        request_id,
        customer_id,
        'email_sha256' as identifier_type,
        {{ sha256_hex('identifier_value') }} as identifier_value

    from own

    where identifier_type = 'email'
{%- endmacro %}
