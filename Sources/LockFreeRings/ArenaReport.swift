internal import CNuma
internal import Glibc

/// Where the pages of an arena should lie.
public enum MemoryPlacement: Hashable, Sendable {
  /// On the node of the thread that touches a page first: what the system does by itself.
  case firstTouch
  /// On the node of the thread that makes the arena. A pinned thread makes the arena it works in.
  case localNode
  /// On one node by its number.
  case node(Int)
}

/// What an arena asked for and what the system gave, measured: for the start of a log and the head of a benchmark.
public struct ArenaReport: Hashable, Sendable, CustomStringConvertible {
  /// Bytes that can be handed out.
  public var capacityBytes: Int
  /// Bytes handed out, padding included; all of them are pre-faulted.
  public var usedBytes: Int
  /// How the pages were asked for: `explicit huge`, `transparent huge` or `4 KiB`.
  public var pages: String
  /// Bytes that huge pages back at this moment, or nil where the kernel does not say.
  public var hugeBytes: Int?
  /// Bytes that are locked in memory, or nil where the kernel does not say.
  public var lockedBytes: Int?
  /// The node the range is bound to, or nil for first-touch placement.
  public var boundNode: Int?
  /// The node that holds the first page, or nil where nobody knows.
  public var firstPageNode: Int?
  /// Memory nodes of the system.
  public var nodeCount: Int
  /// Why a wish was refused, a line each.
  public var refusals: [String]

  /// One line: what was granted, then each refusal.
  public var description: String {
    func megabytes(_ bytes: Int?) -> String { bytes.map { "\(($0 + (1 << 19)) >> 20) MiB" } ?? "an unknown part" }
    let place = boundNode.map { "bound to NUMA node \($0)" } ?? "first-touch placement"
    let nodes = nodeCount == 1 ? "the only node" : "\(nodeCount) nodes"
    let line =
      "\(megabytes(usedBytes)) of \(megabytes(capacityBytes)) taken and pre-faulted, \(megabytes(hugeBytes)) of it in huge pages "
      + "(\(pages)), \(megabytes(lockedBytes)) locked, \(place) (\(nodes))"
    return ([line] + refusals).joined(separator: "; ")
  }
}

extension Arena {
  /// Whether libnuma was found when the package was built, and the system has memory nodes.
  public static var hasNodePlacement: Bool { martlet_numa_available() != 0 }

  /// Bytes of the arena that the kernel backs by huge pages at this moment, or nil where it does not say.
  ///
  /// Transparent huge pages are a wish: this is whether it was granted. Reads `/proc/self/smaps`; milliseconds.
  public func hugeBytes() -> Int? { mappedBytes()?.huge }

  /// What was granted, measured now. Off the hot path: reads `/proc/self/smaps`; milliseconds.
  public func report() -> ArenaReport {
    let grant = self.grant
    let mapped = mappedBytes()
    let used = usedBytes
    let node = used > 0 ? unsafe martlet_numa_node_of(base) : -1
    return ArenaReport(
      capacityBytes: capacityBytes, usedBytes: used, pages: grant.pages, hugeBytes: mapped?.huge,
      lockedBytes: mapped?.locked, boundNode: grant.node, firstPageNode: node >= 0 ? Int(node) : nil,
      nodeCount: Int(martlet_numa_nodes()), refusals: grant.refusals)
  }

  /// Bytes of the arena in huge pages, and bytes that are locked, as the kernel tells.
  private func mappedBytes() -> (huge: Int, locked: Int)? {
    guard let file = unsafe fopen("/proc/self/smaps", "re") else { return nil }
    defer { unsafe fclose(file) }
    let first = UInt(bitPattern: unsafe base)
    let last = first + UInt(capacityBytes)
    var line = [CChar](repeating: 0, count: 512)
    var isInside = false
    var pageKiB = 0
    var (huge, locked) = (0, 0)
    while unsafe fgets(&line, CInt(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
      guard let key = words.first else { continue }
      let ends = key.split(separator: "-").map { UInt($0, radix: 16) }
      if ends.count == 2, let from = ends[0], let to = ends[1] {
        isInside = from < last && to > first
      } else if isInside, words.count > 1, let value = Int(words[1]) {
        if key == "KernelPageSize:" { pageKiB = value }
        if key == "AnonHugePages:" { huge += value }
        if key == "Private_Hugetlb:", pageKiB >= 2048 { huge += value }
        if key == "Locked:" { locked += value }
      }
    }
    return (min(huge << 10, capacityBytes), min(locked << 10, capacityBytes))
  }
}
