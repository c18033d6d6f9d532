"""Replies that are given again, to who may be given the same, until they are forgotten."""

from pkg.replies.cache import HotReplyCache, ReplyCache
from pkg.replies.operation import OperationReplies
from pkg.replies.settings import ReplyCacheSettings

__all__ = ["HotReplyCache", "OperationReplies", "ReplyCache", "ReplyCacheSettings"]
