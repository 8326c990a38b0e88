{{ plan_sync('sync_hubspot__contacts') }}
