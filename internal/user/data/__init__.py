"""Where the user service keeps what biz works on: SQL tables, and the dictionary's file."""

from internal.user.data.dictionary import FileDictionary
from internal.user.data.dictionary_watch import DictionaryWatch
from internal.user.data.pictures import StoredPictures
from internal.user.data.policy_source import SqlPolicySource
from internal.user.data.security import AccessRevoker, AccessTokens
from internal.user.data.unit_of_work import SqlTransactions

__all__ = [
    "AccessRevoker",
    "AccessTokens",
    "DictionaryWatch",
    "FileDictionary",
    "SqlPolicySource",
    "SqlTransactions",
    "StoredPictures",
]
