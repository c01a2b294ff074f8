i
via-3Ã©hosts-5	hosts-6Ã©"tls-8*
source-9Ã©2pool-10:key-11B	user-12Ã©Jpassword_file-13Rrule-14øenhanced-17	text-18Ã©"	reason-19(”ôÕêÈ¼Ã