internal import CNuma
internal import Glibc

/// All memory of an engine, taken from the system once, at start-up.
///
/// One reserved range of addresses is handed out from the front and never taken back; what is handed out is pre-faulted, so the
/// hot path meets no page fault. Slabs and rings keep the arena alive.
///
/// - Complexity: `take` touches each page once; nothing here is for the hot path.
@safe public final class Arena: @unchecked Sendable {
  /// What the system granted, for reports.
  public struct Grant: Sendable, CustomStringConvertible {
    /// How the pages came.
    public var pages: String
    /// The NUMA node the range is bound to, or nil for first-touch placement.
    public var node: Int?
    /// Whether the pages are locked in memory, or why not.
    public var lock: String
    /// One line for a report.
    public var description: String {
      "\(pages) pages, \(node.map { "NUMA node \($0)" } ?? "first-touch placement"), \(lock)"
    }
  }

  /// Bytes that can be handed out.
  public let capacityBytes: Int
  /// What the system granted.
  public private(set) var grant: Grant
  /// Bytes handed out so far, padding included.
  public private(set) var usedBytes = 0

  private let base: UnsafeMutableRawPointer
  private let locks: Bool

  /// Reserves `capacityBytes` of address space; memory is only used as it is handed out.
  ///
  /// - Parameters:
  ///   - locks: ask the system to keep what is handed out in memory; a refusal is reported in `grant`.
  /// - Precondition: `capacityBytes > 0`, and the address space has room.
  public init(capacityBytes: Int, locks: Bool = false) {
    precondition(capacityBytes > 0, "Arena: the capacity is positive")
    let huge = 2 << 20
    let length = (capacityBytes + huge - 1) / huge * huge
    var pages = "explicit huge"
    // Asking for pre-faulted explicit huge pages fails at once where the administrator reserved none.
    var mapped = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0)
    if unsafe mapped == MAP_FAILED {
      // One huge page more, so that the start can be aligned to one.
      unsafe mapped = mmap(
        nil, length + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      precondition(unsafe mapped != MAP_FAILED, "Arena: the address space has room for \(capacityBytes) bytes")
      unsafe mapped = UnsafeMutableRawPointer(
        bitPattern: (UInt(bitPattern: mapped) + UInt(huge - 1)) & ~UInt(huge - 1))
      pages = unsafe madvise(mapped, length, 14 /* MADV_HUGEPAGE */) == 0 ? "transparent huge" : "4 KiB"
    }
    unsafe base = mapped!
    self.capacityBytes = length
    self.locks = locks
    let node = unsafe martlet_numa_bind_local(base, length)
    grant = Grant(pages: pages, node: node >= 0 ? Int(node) : nil, lock: locks ? "locked" : "not locked")
  }

  deinit { unsafe munmap(base, capacityBytes) }

  /// Bytes still to be handed out.
  public var freeBytes: Int { capacityBytes - usedBytes }

  /// The next `byteCount` bytes, zeroed and pre-faulted, or nil when the arena is full.
  ///
  /// - Precondition: `alignment` is a power of two up to 2 MiB.
  @unsafe public func take(byteCount: Int, alignment: Int = 128) -> UnsafeMutableRawPointer? {
    precondition(byteCount >= 0 && alignment > 0 && alignment & (alignment - 1) == 0 && alignment <= 2 << 20)
    let start = (usedBytes + alignment - 1) & ~(alignment - 1)
    guard byteCount <= capacityBytes - start else { return nil }
    usedBytes = start + byteCount
    let taken = unsafe base + start
    for offset in stride(from: 0, to: byteCount, by: 4096) {
      unsafe (taken + offset).storeBytes(of: 0, as: UInt8.self)
    }
    if locks, byteCount > 0, unsafe mlock(taken, byteCount) != 0 {
      grant.lock = "not locked (\(unsafe String(cString: strerror(errno))))"
    }
    return unsafe taken
  }
}
