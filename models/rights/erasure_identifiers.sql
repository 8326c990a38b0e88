-- By what rows of a person are known who is about to be erased. Never stored.

with

ready as (

    select * from {{ ref('erasure_requests') }}

    where status = 'ready'

),

identifiers as (

    {{ own_identifiers('ready', together=true) }}

)

select * from identifiers
