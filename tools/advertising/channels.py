"""The channels of the tool contract, and what people call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import WithJsonSchema

from shop import ToolError

CHANNELS = ("search", "social", "display", "email", "sms", "video", "affiliate")
# The schema offers the channels alone, so that a model writes one of them; a person may still say "Instagram".
Channel = Annotated[str, WithJsonSchema({"type": "string", "enum": list(CHANNELS)})]
_ALSO = {
    "search": ("google", "bing", "sem", "ppc", "search ads", "paid search", "baidu", "搜索", "百度", "搜索广告"),
    "social": (
        "facebook", "instagram", "meta", "tiktok", "pinterest", "xiaohongshu", "rednote", "red", "wechat", "weibo",
        "social media", "小红书", "微信", "微博", "抖音", "朋友圈", "社交", "社交媒体", "社媒",
    ),
    "display": ("banner", "banners", "programmatic", "display ads", "展示", "横幅", "展示广告"),
    "email": ("e-mail", "mail", "newsletter", "emails", "邮件", "电子邮件", "邮箱"),
    "sms": ("text", "texts", "text message", "text messages", "短信"),
    "video": ("youtube", "tv", "video ads", "视频", "视频广告", "b站", "bilibili"),
    "affiliate": ("affiliates", "partner", "partners", "influencer", "influencers", "联盟", "联盟营销", "达人"),
}  # fmt: skip
_NAMES = {name: channel for channel in CHANNELS for name in (channel, *_ALSO[channel])}


def find_channels(said: Sequence[str]) -> tuple[str, ...]:
    """The channels that a person means, each once, in the contract's order.

    Raises:
        ToolError: One of them is no channel; all channels are listed.
    """
    found = set()
    for text in said:
        channel = _NAMES.get(" ".join(text.lower().split()))
        if channel is None:
            raise ToolError(f"“{text}” is not an advertising channel; the channels are {', '.join(CHANNELS)}.")
        found.add(channel)
    return tuple(channel for channel in CHANNELS if channel in found)
