{{ rejected_rows('bank_accounts') }}
