
values-2

values-3é