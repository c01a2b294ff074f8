
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
b.othernote-31"
	addr-33Ã©orig-34
"
orcpt-36Ã©j
via-38hosts-40hosts-41"tls-43*	source-442	pool-45Ã©:key-46Buser-47Jpassword_file-48Ã©Rrule-49 æ÷ÿÿÿÿÿÿÿ*Jženhanced-55text-56remote-57Ã©"tls-58(08@H€¢Ž…àP€€¯ÐåX0ÂŒ—™¼É¼Ã