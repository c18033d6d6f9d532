"""The target `proto_descriptors`: a module that holds the descriptors of many protos."""

from __future__ import annotations

from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    StringField,
    StringSequenceField,
    Target,
)


class DescriptorsSourcesField(MultipleSourcesField):
    """Nothing on disk: the module is generated."""

    alias = "_sources"
    default = ()
    help = "Unused: the module is generated out of the protos under `roots`."


class DescriptorsDependenciesField(Dependencies):
    """What is not inferred; the protos themselves are."""


class DescriptorsModuleField(StringField):
    """The module's dotted name."""

    alias = "module"
    required = True
    value: str
    help = "The generated module's name, for instance `api.descriptors`."


class DescriptorsRootsField(StringSequenceField):
    """Which protos the module holds."""

    alias = "roots"
    required = True
    value: tuple[str, ...]
    help = "Source roots whose protos the module holds, beside what these import."


class DescriptorsTarget(Target):
    """One module with a FileDescriptorSet."""

    alias = "proto_descriptors"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        DescriptorsSourcesField,
        DescriptorsDependenciesField,
        DescriptorsModuleField,
        DescriptorsRootsField,
    )
    help = "A Python module with the descriptors of every proto under some source roots."
