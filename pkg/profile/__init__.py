"""Where the time and the memory of this process go.

Pull: `Pprof` answers under `/debug/pprof/` on the admin port. Push: `pkg.profile.pyroscope`.
"""

from pkg.profile.endpoints import Pprof
from pkg.profile.heap import HeapTracing, HeapTracingOffError, heap_profile, heap_text
from pkg.profile.pprof import Frame, Profile, Sample, ValueType
from pkg.profile.sampler import Sampler, SamplerBusyError
from pkg.profile.settings import ProfileSettings
from pkg.profile.stacks import task_stacks, thread_stacks

__all__ = [
    "Frame",
    "HeapTracing",
    "HeapTracingOffError",
    "Pprof",
    "Profile",
    "ProfileSettings",
    "Sample",
    "Sampler",
    "SamplerBusyError",
    "ValueType",
    "heap_profile",
    "heap_text",
    "task_stacks",
    "thread_stacks",
]
