
d
via-2hosts-4hosts-5"tls-7*source-82pool-9é:key-10Buser-11Jpassword_file-12éRrule-13
addr-16orig-17
"orcpt-19"
	addr-21éorig-22
"
orcpt-24éfrom-25 