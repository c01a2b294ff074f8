
˜
id-2profile-3Ã©local_addr-4"remote_ip-5(î2remote_name-7:helo-8Bprotocol-9Ã©Jtls-10Rlogin-11XŒÔüƒóÇ¼Ãb
a.keynote-14b
b.othernote-15ñ
id-17	from-18Ã©"
	addr-21Ã©orig-22
"
orcpt-24Ã© 
addr-26	orig-27Ã©
"orcpt-29 †ˆ€€€ *body-3108Bret-34J	env_id-35P¤´ˆ¸ÌÈ¼ÃZ@
ip-38	name-39Ã©helo-40"protocol-41*
login-42Ã©2
profile-43b
a.keynote-45b
b.othernote-46"
	addr-48Ã©orig-49
"
orcpt-51Ã©