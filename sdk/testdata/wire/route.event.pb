
Ï
id-2from-3√©
addr-6√©orig-7
"	orcpt-9√© 
addr-11	orig-12√©
"orcpt-14 ˜áÄÄÄ *body-1608Bret-19J	env_id-20Pïà¡«î»º√Z@
ip-23	name-24√©helo-25"protocol-26*
login-27√©2
profile-28b
a.keynote-30b
b.othernote-31"
	addr-33√©orig-34
"
orcpt-36√©ç"Lëenhanced-42√©text-43	remote-44"tls-45√©(08@HÄ‹‰≤óPÄ∫Ö˛úX