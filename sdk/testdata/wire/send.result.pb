
N!“øÿÿÿÿÿÿÿenhanced-6Ã©text-7remote-8"tls-9Ã©(08@H€¤ÊNP€‚ëèSX
T#„øÿÿÿÿÿÿÿenhanced-21Ã©text-22	remote-23"tls-24Ã©(08@H€¦µ†¢P€„ÖÑ§X