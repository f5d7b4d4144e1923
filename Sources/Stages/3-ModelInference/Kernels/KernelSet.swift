internal import CKernels

/// The instruction set the kernels run in. All give the same bits; only the time differs.
@frozen public enum KernelSet: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Plain loops, on every machine: the reference.
  case scalar = 0
  /// 256-bit vectors.
  case avx2 = 1
  /// 512-bit vectors with VNNI and VBMI.
  case avx512 = 2
  /// The fastest this processor has.
  case best = 255

  /// Whether this processor can run it.
  public var isSupported: Bool { self == .best || martlet_kernels_supported(Int32(rawValue)) }

  /// `best` as the set it stands for; any other is itself.
  public var resolved: KernelSet {
    guard self == .best else { return self }
    return KernelSet.avx512.isSupported ? .avx512 : KernelSet.avx2.isSupported ? .avx2 : .scalar
  }

  /// The sets this processor can run, slowest first.
  public static var supported: [KernelSet] { [.scalar, .avx2, .avx512].filter(\.isSupported) }
}
