
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
b.othernote-31 
addr-35	orig-36Ã©
"orcpt-38
addr-40orig-41
"orcpt-43"J˜enhanced-49text-50remote-51Ã©"tls-52(08@H€îÉÁ¾P€ÌêŒÄX"J§enhanced-64text-65remote-66Ã©"tls-67(08@H€ð´ª’P€ÎÕõ—X*
id-76µˆ€€€ 2to-78Ã©