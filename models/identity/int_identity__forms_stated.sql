-- The forms in which the records of a proven person state who it is: alike records are one form,
-- so that fifty orders by a guest are compared once. What cannot be a key (an e-mail with two
-- at-signs) can still be alike.

with

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

    where {{ var('identity_fuzzy') | lower }}

),

customer_records as (

    select * from {{ ref('customer_records') }}

),

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where
        {{ var('identity_fuzzy') | lower }}
        and identifier_type in ('email', 'phone', 'national_id')

),

clusters_proven as (

    select * from {{ ref('int_identity__clusters_proven') }}

),

-- Nothing new joins a customer that is too large already.
clusters_frozen as (

    select * from {{ ref('int_identity__clusters_frozen') }}

),

contacts as (

    select
        record_key,
        coalesce(
            {{ binary_min("case when identifier_type = 'email' and rejection_reason is null "
                ~ "then identifier_value end") }},
            {{ binary_min("case when identifier_type = 'email' and rejection_reason = 'malformed' "
                ~ "and raw_value like '%@%' then " ~ lower_text('trim(raw_value)') ~ " end") }}
        ) as email,
        {%- for type in ['phone', 'national_id'] %}
        {{ binary_min("case when identifier_type = '" ~ type ~ "' and rejection_reason is null "
            ~ "then identifier_value end") }} as {{ type }}
            {{- ',' if not loop.last }}
        {%- endfor %}

    from identifiers_validated

    group by record_key

),

described as (

    select
        clusters_proven.cluster_key,
        records_keyed.record_key,
        records_keyed.first_name_key as first_name,
        records_keyed.last_name_key as last_name,
        replace(cast(records_keyed.birth_date as {{ dbt.type_string() }}), '-', '') as birth_date,
        records_keyed.gender,
        contacts.email,
        contacts.phone,
        contacts.national_id,
        {{ address_key('customer_records.street') }} as street,
        {{ address_key('customer_records.postcode') }} as postcode,
        {{ address_key('customer_records.city') }} as city

    from records_keyed

    inner join clusters_proven
        on records_keyed.record_key = clusters_proven.record_key

    inner join customer_records
        on records_keyed.record_key = customer_records.record_key

    left join contacts
        on records_keyed.record_key = contacts.record_key

    left join clusters_frozen
        on records_keyed.record_key = clusters_frozen.record_key

    where clusters_frozen.record_key is null

),

grouped as (

    select
        cluster_key,
        -- PostgreSQL's edit distance takes 255 letters.
        {%- for attribute in form_attributes() %}
        substr({{ attribute }}, 1, 250) as {{ attribute }},
        {%- endfor %}
        {{ binary_min('record_key') }} as record_key,
        count(*) as record_count

    from described

    group by
        cluster_key,
        {%- for attribute in form_attributes() %}
        substr({{ attribute }}, 1, 250){{ ',' if not loop.last }}
        {%- endfor %}

),

ranked as (

    select
        *,
        {{ email_local_part('email') }} as mailbox,
        {{ email_domain('email') }} as email_domain,
        {{ regexp_replace_all(email_local_part('email'), '[^0-9]', '') }} as mailbox_digits,
        row_number() over (order by {{ binary_order('record_key') }}) as form_id,
        -- A person of hundreds of forms is known well enough by the most frequent ones.
        row_number() over (
            partition by cluster_key
            order by record_count desc, {{ binary_order('record_key') }}
        ) as form_rank

    from grouped

)

select
    *,
    min(form_id) over (partition by cluster_key) as group_id

from ranked

where form_rank <= {{ var('identity_fuzzy_max_forms_per_customer') }}
