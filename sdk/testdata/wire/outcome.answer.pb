€¼Á–ì
enhanced-5text-6Ã©"reason-7(