-- Both directions, and two short forms of one name (Kate, Katie). Not transitive: Alex is
-- Alexandre or Alexandra, who are two persons.

with

nicknames as (

    select * from {{ ref('nicknames') }}

),

forms as (

    select
        name_key,
        canonical
    from nicknames
    union
    select
        canonical as name_key,
        canonical
    from nicknames

),

aliased as (

    select distinct
        one.name_key as left_name,
        other.name_key as right_name

    from forms as one

    inner join forms as other
        on
            one.canonical = other.canonical
            and one.name_key != other.name_key

)

select * from aliased
