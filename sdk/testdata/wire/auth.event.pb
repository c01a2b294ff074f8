
˜
id-2profile-3Ã©local_addr-4"remote_ip-5(î2remote_name-7:helo-8Bprotocol-9Ã©Jtls-10Rlogin-11XŒÔüƒóÇ¼Ãb
a.keynote-14b
b.othernote-15mechanism-16username-17"password-18Ã©*authz_id-19