{# Whose row of a raw table it is, as its YAML says: `record_of` (the native id of a record of that
   source) or `identifies` (a type of identifier, or `{type_in: column}`). Values are read as
   staging reads them; the keys of records of other tables are cleaned there or not, so both ways. #}
{% macro identifying_columns(table) %}
    {% set found = [] %}
    {% for column in table.columns.values() %}
        {% set meta = column.config.meta %}
        {% if meta.record_of or meta.identifies %}
            {% set companion = identifying_companion(table, meta) %}
            {% do found.append({
                'name': adapter.quote(column.name),
                'companion': adapter.quote(companion) if companion,
                'unless': adapter.quote(meta.unless) if meta.unless,
                'is_record': meta.record_of is defined,
                'type': identifying_type(meta),
                'values': identifying_values(meta, companion is not none),
            }) %}
        {% endif %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{# The column without which a value cannot be read. #}
{% macro identifying_companion(table, meta) %}
    {% if meta.identifies is mapping %}{{ return(meta.identifies.type_in) }}{% endif %}
    {{ return('country' if meta.identifies == 'phone' and 'country' in table.columns else none) }}
{% endmacro %}

{% macro identifying_type(meta) %}
    {% if meta.record_of %}{{ return("'record'") }}{% endif %}
    {% if meta.identifies is mapping %}{{ return(subject_identifier_type('companion')) }}{% endif %}
    {{ return("'" ~ meta.identifies ~ "'") }}
{% endmacro %}

{% macro identifying_values(meta, has_companion, given='given') %}
    {% set cleaned = clean_text(given) %}
    {% if meta.prefix %}
        {{ return([record_key(meta.record_of, "'" ~ meta.prefix ~ "' || " ~ cleaned)]) }}
    {% elif meta.record_of %}
        {{ return([record_key(meta.record_of, given), record_key(meta.record_of, cleaned)]) }}
    {% elif meta.identifies is mapping %}
        {{ return([subject_identifier_value('companion', given)]) }}
    {% elif meta.identifies == 'email' %}
        {{ return([normalize_email(given)]) }}
    {% elif meta.identifies == 'phone' %}
        {{ return([normalize_phone(given, 'companion' if has_companion)]) }}
    {% endif %}
    {{ return(['lower(' ~ cleaned ~ ')' if meta.identifies == 'email_sha256' else cleaned]) }}
{% endmacro %}
