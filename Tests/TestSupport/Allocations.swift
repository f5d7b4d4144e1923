public import CAllocationCounter

/// Whether this process can count allocations: an optimised build without sanitizers.
public let countsAllocations: Bool = {
  var isDebug = false
  assert(
    {
      isDebug = true
      return true
    }())
  return !isDebug && martlet_counts_allocations()
}()

/// Whether a sanitizer stands between this process and the system: it answers some calls itself.
public let isSanitized = !martlet_counts_allocations()

/// What `body` allocated and retained on this thread. Warm the path up first.
@inline(never)
public func counting(_ body: () -> Void) -> martlet_counts {
  martlet_count_begin()
  body()
  return martlet_count_end()
}
