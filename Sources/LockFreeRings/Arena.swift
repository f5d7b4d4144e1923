internal import CNuma
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
  /// What the system granted, for reports.
  public struct Grant: Sendable, CustomStringConvertible {
    /// How the pages came: `explicit huge`, `transparent huge` (asked for; see `hugeBytes()`) or `4 KiB`.
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

  private struct State {
    var grant: Grant
    var usedBytes = 0
  }

  /// Bytes that can be handed out.
  public let capacityBytes: Int

  private let base: UnsafeMutableRawPointer
  // What the system gave: it starts before `base` where the range had to be aligned to a huge page.
  private let mapping: UnsafeMutableRawPointer
  private let mappingBytes: Int
  private let pageBytes: Int
  private let locks: Bool
  private let state: Mutex<State>

  /// Reserves `capacityBytes` of address space; memory is only used as it is handed out.
  ///
  /// - Parameters:
  ///   - capacityBytes: rounded up to whole huge pages of 2 MiB.
  ///   - locks: ask the system to keep what is handed out in memory; a refusal is reported in `grant`.
  /// - Precondition: `capacityBytes > 0`, and the address space has room.
  public init(capacityBytes: Int, locks: Bool = false) {
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
    let node = unsafe martlet_numa_bind_local(base, length)
    state = Mutex(
      State(grant: Grant(pages: pages, node: node >= 0 ? Int(node) : nil, lock: locks ? "locked" : "not locked")))
  }

  deinit { unsafe munmap(mapping, mappingBytes) }

  /// What the system granted.
  public var grant: Grant { state.withLock { $0.grant } }

  /// Bytes handed out so far, padding included.
  public var usedBytes: Int { state.withLock { $0.usedBytes } }

  /// Bytes still to be handed out.
  public var freeBytes: Int { capacityBytes - usedBytes }

  /// Bytes of the arena that the kernel backs by huge pages at this moment, or nil where it does not say.
  ///
  /// Transparent huge pages are a wish: this is whether it was granted. Reads `/proc/self/smaps`; milliseconds.
  public func hugeBytes() -> Int? {
    guard let file = unsafe fopen("/proc/self/smaps", "re") else { return nil }
    defer { unsafe fclose(file) }
    let first = UInt(bitPattern: unsafe base)
    let last = first + UInt(capacityBytes)
    var line = [CChar](repeating: 0, count: 512)
    var isInside = false
    var pageKiB = 0
    var kibibytes = 0
    while unsafe fgets(&line, CInt(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
      guard let key = words.first else { continue }
      let ends = key.split(separator: "-").map { UInt($0, radix: 16) }
      if ends.count == 2, let from = ends[0], let to = ends[1] {
        isInside = from < last && to > first
      } else if isInside, words.count > 1, let value = Int(words[1]) {
        if key == "KernelPageSize:" { pageKiB = value }
        if key == "AnonHugePages:" { kibibytes += value }
        if key == "Private_Hugetlb:", pageKiB >= 2048 { kibibytes += value }
      }
    }
    return min(kibibytes << 10, capacityBytes)
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
    // Only this caller has these bytes. Touching is enough: the memory is anonymous, so it is zero already.
    for place in stride(from: 0, to: byteCount, by: pageBytes) {
      unsafe (taken + place).storeBytes(of: 0, as: UInt8.self)
    }
    // The start need not be that of a page, so the last page may have been stepped over.
    unsafe (taken + (byteCount - 1)).storeBytes(of: 0, as: UInt8.self)
    if locks, unsafe mlock(taken, byteCount) != 0 {
      let reason = unsafe String(cString: strerror(errno))
      state.withLock { $0.grant.lock = "not locked (\(reason))" }
    }
    return unsafe taken
  }

  /// The next `byteCount` bytes as `take` gives them, or a typed error where `take` gives nil.
  @unsafe public func reserve(byteCount: Int, alignment: Int = 128) throws(ArenaError) -> UnsafeMutableRawPointer {
    guard let memory = unsafe take(byteCount: byteCount, alignment: alignment) else {
      throw .exhausted(requestedBytes: byteCount, freeBytes: freeBytes)
    }
    return unsafe memory
  }
}
