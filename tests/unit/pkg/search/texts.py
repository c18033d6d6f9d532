"""Texts and their words, which are those that Elasticsearch finds too."""

TEXTS = {
    "": [],
    " -- !": [],
    "Mozilla/5.0 (Windows NT 10.0; Win64)": ["mozilla", "5.0", "windows", "nt", "10.0", "win64"],
    "登录失败admin": ["登", "录", "失", "败", "admin"],
    "3,000.5 v1.2 10.0.0.1": ["3,000.5", "v1.2", "10.0.0.1"],
    "can't it's 'quoted'": ["can't", "it's", "quoted"],
    "foo_bar _x a_ __ _": ["foo_bar", "_x", "a_"],
    "example.com:80 a:b x. .y": ["example.com", "80", "a:b", "x", "y"],
    "/v1/get/userInfo?x=1&y=2": ["v1", "get", "userinfo", "x", "1", "y", "2"],
    "user@example.com": ["user", "example.com"],
    "カタカナひらがな한국어": ["カタカナ", "ひ", "ら", "が", "な", "한국어"],
    "Ünïcode ÉCOLE e\u0301te": ["ünïcode", "école", "e\u0301te"],
    "ПРИВЕТ мир": ["привет", "мир"],
    "a-b c/d e+f": ["a", "b", "c", "d", "e", "f"],
    "2026-01-01T00:00:00.000Z": ["2026", "01", "01t00", "00", "00.000z"],
}
