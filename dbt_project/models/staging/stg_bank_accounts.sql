{{ accepted_rows('bank_accounts') }}
