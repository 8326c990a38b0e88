{% macro subject_identifier_type(expression) -%}
    case lower({{ clean_text(expression) }})
        when 'email' then 'email'
        when 'phone' then 'phone'
        when 'customer_id' then 'shop_customer_id'
        when 'shop_customer_id' then 'shop_customer_id'
        when 'contact_id' then 'crm_contact_id'
        when 'crm_contact_id' then 'crm_contact_id'
        when 'member_id' then 'loyalty_id'
        when 'loyalty_id' then 'loyalty_id'
        when 'subscriber_id' then 'email_subscriber_id'
        when 'email_subscriber_id' then 'email_subscriber_id'
        when 'requester_id' then 'support_requester_id'
        when 'support_requester_id' then 'support_requester_id'
        when 'respondent_id' then 'survey_respondent_id'
        when 'survey_respondent_id' then 'survey_respondent_id'
        when 'anonymous_id' then 'cookie_id'
        when 'cookie_id' then 'cookie_id'
        when 'device_id' then 'device_id'
    end
{%- endmacro %}
