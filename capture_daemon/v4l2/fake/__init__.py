"""Cameras without hardware: FakeKernel stands where KernelOps stands, on real descriptors."""

from capture_daemon.v4l2.fake.camera import FakeCamera, FrameFault
from capture_daemon.v4l2.fake.kernel import FakeKernel

__all__ = ["FakeCamera", "FakeKernel", "FrameFault"]
