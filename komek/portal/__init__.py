"""The portal: what each role sees of a publication, and who looked."""
