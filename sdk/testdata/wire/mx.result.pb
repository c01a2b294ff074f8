

	hosts-3é
hosts-4 (