
ì
id-2from-3Ã©
addr-6Ã©orig-7
"	orcpt-9Ã© 
addr-11	orig-12Ã©
"orcpt-14 ÷‡€€€ *body-1608Bret-19J	env_id-20P•ˆÁÇ”È¼ÃZ@
ip-23	name-24Ã©helo-25"protocol-26*
login-27Ã©2
profile-28b
a.keynote-30b
b.othernote-31
id-33Ã©Šˆ€€€ 
addr-37orig-38
"orcpt-40"
	addr-42Ã©orig-43
"
orcpt-45Ã©"j
via-47hosts-49hosts-50"tls-52*	source-532	pool-54Ã©:key-55Buser-56Jpassword_file-57Ã©Rrule-58(£