"""The portal: what regions, ministry, bodies, engineers and auditors see, and who may."""
