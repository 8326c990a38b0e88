-- depends_on: {{ ref('int_identity__forms_described') }}
-- depends_on: {{ ref('int_identity__match_odds_estimated') }}
-- depends_on: {{ ref('int_identity__clusters_proven') }}
-- depends_on: {{ ref('int_identity__records_keyed') }}
-- depends_on: {{ ref('customer_records') }}
-- depends_on: {{ ref('int_identity__identifiers_validated') }}
-- depends_on: {{ ref('int_identity__decisions_listed') }}
-- depends_on: {{ ref('int_identity__weights_measured') }}
-- depends_on: {{ ref('identifier_rules') }}
{{ config(
    materialized='average_linkage',
    forms='int_identity__forms_described',
    pre_hook='{{ disable_jit() }}'
) }}
-- Proven persons that are alike enough to be one, all of each against all of the other.

with

forms_scored as (

    select * from {{ ref('int_identity__forms_scored') }}

)

select
    left_form_id,
    right_form_id

from forms_scored
