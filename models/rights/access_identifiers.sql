-- By what rows of a person are known who asks what is there about them. Never stored.

with

identifiers as (

    {{ own_identifiers(ref('access_requests')) }}

)

select * from identifiers
