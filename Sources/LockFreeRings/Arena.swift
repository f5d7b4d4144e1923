internal import CNuma
internal import CPlatform
internal import Glibc
internal import Synchronization

/// Why an arena handed nothing out.
public enum ArenaError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Less is free than was asked for, padding included.
  case exhausted(requestedBytes: Int, freeBytes: Int)

  /// One line for a report.
  public var description: String {
    switch self {
    case .exhausted(let requestedBytes, let freeBytes):
      "Arena: room for \(requestedBytes) bytes more is needed, \(freeBytes) are free"
    }
  }
}

/// All memory of an engine, taken from the system once, at start-up.
///
/// One reserved range of addresses is handed out from the front and never taken back; what is handed out is pre-faulted, so the
/// hot path meets no page fault. Slabs and rings keep the arena alive. Any thread may take; a take holds a lock.
///
/// - Complexity: `take` touches each page once; nothing here is for the hot path.
@safe public final class Arena: @unchecked Sendable {
  /// What the system granted; `report()` measures it.
  public struct Grant: Sendable, CustomStringConvertible {
    /// How the pages came: `explicit huge`, `transparent huge` (asked for; see `hugeBytes()`) or `4 KiB`.
    public var pages: String
    /// The NUMA node the range is bound to, or nil for first-touch placement.
    public var node: Int?
    /// Whether what is handed out is locked in memory.
    public var isLocked: Bool
    /// Why a wish was refused, a line each.
    public var refusals: [String] = []
    /// One line for a report.
    public var description: String {
      let place = node.map { "NUMA node \($0)" } ?? "first-touch placement"
      return (["\(pages) pages", place, isLocked ? "locked" : "not locked"] + refusals).joined(separator: ", ")
    }
  }

  private struct State {
    var grant: Grant
    var usedBytes = 0
  }

  /// Bytes that can be handed out.
  public let capacityBytes: Int

  let base: UnsafeMutableRawPointer
  // What the system gave: it starts before `base` where the range had to be aligned to a huge page.
  private let mapping: UnsafeMutableRawPointer
  private let mappingBytes: Int
  private let pageBytes: Int
  private let locks: Bool
  private let state: Mutex<State>

  /// Reserves `capacityBytes` of address space; memory is only used as it is handed out.
  ///
  /// Huge pages, node and lock are wishes: what is refused falls back, and `grant` and `report()` say so.
  ///
  /// - Parameters:
  ///   - capacityBytes: rounded up to whole huge pages of 2 MiB.
  ///   - placement: the memory node of the pages.
  ///   - locks: keep what is handed out in memory.
  /// - Precondition: `capacityBytes > 0`, and the address space has room.
  public init(capacityBytes: Int, placement: MemoryPlacement = .localNode, locks: Bool = false) {
    let huge = 2 << 20
    precondition(
      capacityBytes > 0 && capacityBytes <= 1 << 46, "Arena: the capacity is positive and fits the addresses")
    let length = (capacityBytes + huge - 1) / huge * huge
    var pages = "explicit huge"
    var mappedBytes = length
    // Asking for explicit huge pages fails at once where the administrator reserved none.
    var mapped = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0)
    var start = unsafe mapped
    if unsafe mapped == MAP_FAILED {
      // One huge page more, so that the start can be aligned to one.
      mappedBytes = length + huge
      unsafe mapped = mmap(
        nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      precondition(unsafe mapped != MAP_FAILED, "Arena: the address space has room for \(capacityBytes) bytes")
      unsafe start = UnsafeMutableRawPointer(
        bitPattern: (UInt(bitPattern: mapped) + UInt(huge - 1)) & ~UInt(huge - 1))
      pages = unsafe madvise(start, length, 14 /* MADV_HUGEPAGE */) == 0 ? "transparent huge" : "4 KiB"
    }
    unsafe base = start!
    unsafe mapping = mapped!
    mappingBytes = mappedBytes
    pageBytes = pages == "explicit huge" ? huge : 4096
    self.capacityBytes = length
    self.locks = locks
    var grant = Grant(pages: pages, node: nil, isLocked: locks)
    if let node = Self.wantedNode(placement) {
      let code = unsafe martlet_numa_bind(base, length, CInt(truncatingIfNeeded: node))
      if code == 0 {
        grant.node = node
      } else {
        grant.refusals.append("NUMA node \(node) refused: \(unsafe String(cString: strerror(code)))")
      }
    }
    state = Mutex(State(grant: grant))
  }

  /// The node that `placement` asks for, or nil where first touch will do.
  private static func wantedNode(_ placement: MemoryPlacement) -> Int? {
    switch placement {
    case .firstTouch: return nil
    case .node(let node): return node
    case .localNode:
      let node = martlet_numa_local_node()
      return node >= 0 ? Int(node) : nil
    }
  }

  deinit { unsafe munmap(mapping, mappingBytes) }

  /// What the system granted.
  public var grant: Grant { state.withLock { $0.grant } }

  /// Bytes handed out so far, padding included.
  public var usedBytes: Int { state.withLock { $0.usedBytes } }

  /// Bytes still to be handed out.
  public var freeBytes: Int { capacityBytes - usedBytes }

  /// Takes everything handed out of the processor's caches, values unchanged: the next reader finds it in memory only.
  ///
  /// For measuring how far memory is; no engine calls it.
  public func flushFromCaches() {
    // In bounds: what was handed out lies within the mapping and is backed by memory.
    unsafe martlet_flush_from_caches(base, usedBytes)
  }

  /// The next `byteCount` bytes, zeroed and pre-faulted, or nil when the arena is full.
  ///
  /// - Precondition: `byteCount` is not negative; `alignment` is a power of two up to 2 MiB.
  @unsafe public func take(byteCount: Int, alignment: Int = 128) -> UnsafeMutableRawPointer? {
    precondition(byteCount >= 0, "Arena: the count of bytes is not negative")
    precondition(
      alignment > 0 && alignment & (alignment - 1) == 0 && alignment <= 2 << 20,
      "Arena: the alignment is a power of two up to 2 MiB")
    let offset: Int? = state.withLock { state in
      let start = (state.usedBytes + alignment - 1) & ~(alignment - 1)
      guard start <= capacityBytes, byteCount <= capacityBytes - start else { return nil }
      state.usedBytes = start + byteCount
      return start
    }
    guard let offset else { return nil }
    let taken = unsafe base + offset
    guard byteCount > 0 else { return unsafe taken }
    // Only this caller has these bytes. The memory is anonymous, so it is zero already.
    unsafe preFault(taken, byteCount: byteCount)
    if locks, unsafe mlock(taken, byteCount) != 0 {
      let reason = unsafe String(cString: strerror(errno))
      state.withLock {
        // One line, however many takes are refused.
        if $0.grant.isLocked { $0.grant.refusals.append("lock refused: \(reason)") }
        $0.grant.isLocked = false
      }
    }
    return unsafe taken
  }

  /// Has every page of a fresh range backed by memory.
  @unsafe private func preFault(_ start: UnsafeMutableRawPointer, byteCount: Int) {
    let first = UInt(bitPattern: start) & ~UInt(4095)
    let length = Int(UInt(bitPattern: start) - first) + byteCount
    // One call for all pages, where the kernel knows it (since 5.14).
    if unsafe madvise(UnsafeMutableRawPointer(bitPattern: first), length, 23 /* MADV_POPULATE_WRITE */) == 0 { return }
    for place in stride(from: 0, to: byteCount, by: pageBytes) {
      unsafe (start + place).storeBytes(of: 0, as: UInt8.self)
    }
    // The start need not be that of a page, so the last page may have been stepped over.
    unsafe (start + (byteCount - 1)).storeBytes(of: 0, as: UInt8.self)
  }

  /// The next `byteCount` bytes as `take` gives them, or a typed error where `take` gives nil.
  @unsafe public func reserve(byteCount: Int, alignment: Int = 128) throws(ArenaError) -> UnsafeMutableRawPointer {
    guard let memory = unsafe take(byteCount: byteCount, alignment: alignment) else {
      throw .exhausted(requestedBytes: byteCount, freeBytes: freeBytes)
    }
    return unsafe memory
  }
}
