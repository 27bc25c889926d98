"""What programs do to a file system. Each function does it below a directory and prints what it sees; on the mount it must see
what it sees on a plain disk. Run as: operations.py NAME DIRECTORY"""

import ctypes
import errno
import fcntl
import mmap
import os
import random
import socket
import stat
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)


def attempt(what, *arguments, **named):
    try:
        return what(*arguments, **named)
    except OSError as error:
        return errno.errorcode[error.errno]


def write(path, data, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o644):
    file = os.open(path, flags, mode)
    try:
        return os.write(file, data)
    finally:
        os.close(file)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def rename2(old, new, flags):
    if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags) == 0:
        return 0
    return errno.errorcode[ctypes.get_errno()]


def odd_names():
    names = [b"a b", "ü ✓ 日本".encode(), b"line\nbreak", b"\xff\xfe not text", b"-rf", b"x" * 255, b"q'\"\\*?", b"..."]
    for name in names:
        write(name, name)
    for name in sorted(os.listdir(b".")):
        print(name, read(name) == name)
    print(attempt(write, b"x" * 256, b""), attempt(os.lstat, b"none"))
    for name in names:
        os.rename(name, b"r" + name[:200])
        os.unlink(b"r" + name[:200])
    print(os.listdir(b"."))


def deep_trees():
    top = os.getcwd()
    for level in range(60):
        os.mkdir("directory-of-a-long-name-%060d" % level)
        os.chdir("directory-of-a-long-name-%060d" % level)
    write("bottom", b"here")
    print(read("bottom"), len(os.getcwd()) - len(top))
    for level in range(60):
        os.chdir("..")
        print(os.listdir("."), end=" ")
    print(attempt(os.rmdir, "directory-of-a-long-name-%060d" % 0))
    for level in range(60):
        os.chdir("directory-of-a-long-name-%060d" % level)
    os.unlink("bottom")
    for level in reversed(range(60)):
        os.chdir("..")
        os.rmdir("directory-of-a-long-name-%060d" % level)
    print(os.listdir("."))


def unlink_while_open():
    file = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(file, b"before")
    os.unlink("a")
    os.write(file, b" and after")
    found = os.fstat(file)
    print(os.pread(file, 100, 0), found.st_nlink, found.st_size, os.path.exists("a"), os.listdir("."))
    os.fchmod(file, 0o640)
    os.ftruncate(file, 3)
    print(oct(os.fstat(file).st_mode), os.pread(file, 100, 0))
    write("a", b"another")
    print(os.pread(file, 100, 0), read("a"))
    again = os.open("/proc/self/fd/%d" % file, os.O_RDONLY)
    print(os.read(again, 10))
    os.close(again)
    os.close(file)


def rename_over_open():
    write("new", b"new content")
    write("old", b"old")
    file = os.open("old", os.O_RDONLY)
    os.rename("new", "old")
    print(os.read(file, 20), read("old"), os.fstat(file).st_nlink, os.listdir("."))
    os.close(file)
    os.mkdir("d")
    os.mkdir("e")
    write("e/x", b"x")
    print(attempt(os.rename, "d", "e"), attempt(os.rename, "old", "d"), attempt(os.rename, "d", "old"), attempt(os.rename, "d", "d/below"))
    os.rename("e", "d")
    print(sorted(os.listdir(".")), os.listdir("d"), read("d/x"))


def rename_flags():
    write("a", b"a")
    write("b", b"b")
    print(rename2("a", "b", 1), rename2("a", "b", 2), read("a"), read("b"), rename2("a", "c", 1), sorted(os.listdir(".")), rename2("c", "none", 2))
    os.mkdir("d")
    write("d/in", b"in")
    print(rename2("d", "b", 2), os.path.isdir("b"), read("d"), read("b/in"), rename2("b", "c", 8))


def mapped():
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDWR):
        file = os.open("m", flags, 0o644)
        os.ftruncate(file, 3 * 4096)
        with mmap.mmap(file, 0) as shared:
            shared[4096:4104] = b"by a map"
            os.pwrite(file, b"by a write", 8192)
            print(shared[8192:8202], os.pread(file, 8, 4096))
            os.close(file)
            shared[0:5] = b"first"
            shared.flush()
    data = read("m")
    print(len(data), data[:5], data[4096:4104], data[8192:8202])
    with open("m", "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as private:
        print(private[4096:4104])


def direct():
    file = os.open("d", os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o644)
    buffer = mmap.mmap(-1, 1 << 20)
    buffer.write(bytes(range(256)) * 4096)
    print(os.pwritev(file, [buffer], 0), os.pwritev(file, [buffer], 1 << 20))
    back = mmap.mmap(-1, 1 << 20)
    print(os.preadv(file, [back], 1 << 20), back[:] == buffer[:])
    os.close(file)
    print(len(read("d")), read("d")[:256] == bytes(range(256)))


def appended():
    write("a", b"one ")
    first = os.open("a", os.O_WRONLY | os.O_APPEND)
    second = os.open("a", os.O_WRONLY | os.O_APPEND)
    for word in (b"two ", b"three "):
        os.write(first, word)
        os.write(second, word.upper())
    os.pwrite(first, b"end", 0)
    print(read("a"), os.stat("a").st_size, os.lseek(first, 0, os.SEEK_END))
    os.close(first)
    os.close(second)


def truncated():
    write("t", b"0123456789")
    os.truncate("t", 4)
    print(read("t"))
    os.truncate("t", 8)
    print(read("t"))
    file = os.open("t", os.O_RDWR)
    os.ftruncate(file, 2)
    os.pwrite(file, b"x", 5)
    print(read("t"), os.fstat(file).st_size)
    os.close(file)
    write("t", b"new", os.O_WRONLY | os.O_TRUNC)
    print(read("t"), attempt(os.truncate, "none", 1), attempt(os.truncate, ".", 1))


def sparse():
    file = os.open("s", os.O_RDWR | os.O_CREAT, 0o644)
    os.pwrite(file, b"start", 0)
    os.pwrite(file, b"end", 40 << 20)
    print(os.fstat(file).st_size, os.fstat(file).st_blocks < 1000)
    print(os.lseek(file, 0, os.SEEK_HOLE) < 1 << 20, os.lseek(file, 1 << 20, os.SEEK_DATA), attempt(os.lseek, file, 50 << 20, os.SEEK_DATA))
    print(os.pread(file, 5, 20 << 20), os.pread(file, 10, 40 << 20))
    print(libc.fallocate(file, 0, ctypes.c_long(41 << 20), ctypes.c_long(4096)), os.fstat(file).st_size)
    print(libc.fallocate(file, 3, ctypes.c_long(0), ctypes.c_long(4096)), os.pread(file, 5, 0))
    os.close(file)


def hard_links():
    write("a", b"content")
    os.link("a", "b")
    os.mkdir("d")
    os.link("b", "d/c")
    print([os.stat(name).st_nlink for name in ("a", "b", "d/c")], os.stat("a").st_ino == os.stat("d/c").st_ino)
    write("d/c", b" and more", os.O_WRONLY | os.O_APPEND)
    os.unlink("a")
    print(read("b"), os.stat("b").st_nlink, attempt(os.link, "b", "d/c"), attempt(os.link, "d", "e"), attempt(os.link, "none", "e"))
    os.rename("b", "d/c")
    print(sorted(os.listdir(".")), os.listdir("d"))


def symbolic_links():
    os.symlink("target", "l")
    os.symlink("/nowhere/at all", "m")
    print(os.readlink("l"), os.readlink("m"), attempt(read, "l"), stat.S_ISLNK(os.lstat("l").st_mode), os.lstat("l").st_size)
    write("target", b"found")
    print(read("l"), attempt(os.symlink, "x", "l"))
    os.chown("l", 1, 2, follow_symlinks=False)
    os.utime("l", ns=(5, 6), follow_symlinks=False)
    print(os.lstat("l").st_uid, os.lstat("l").st_mtime_ns, os.stat("target").st_uid)
    os.unlink("l")
    os.symlink("d", "loop")
    os.symlink("loop", "d")
    print(attempt(os.stat, "d"), sorted(os.listdir(".")))


def attributes():
    write("a", b"x")
    os.mkdir("d")
    for mode in (0o000, 0o640, 0o7777, 0o444):
        os.chmod("a", mode)
        os.chmod("d", mode & 0o1777)
        print(oct(os.stat("a").st_mode), oct(os.stat("d").st_mode))
    os.chmod("a", 0o4755)
    os.chown("a", 1000, 1001)
    print(oct(os.stat("a").st_mode), os.stat("a").st_uid, os.stat("a").st_gid)
    os.utime("a", ns=(1_234_567_890_123_456_789, 987_654_321_123_456_789))
    print(os.stat("a").st_atime_ns, os.stat("a").st_mtime_ns)
    before = os.stat("a").st_ctime_ns
    os.utime("a")
    print(os.stat("a").st_mtime_ns > 1_700_000_000_000_000_000, os.stat("a").st_ctime_ns >= before)
    old = os.umask(0o027)
    write("masked", b"", mode=0o666)
    os.mkdir("masked-d")
    os.umask(0)
    write("open", b"", mode=0o666)
    os.mkdir("open-d", 0o777)
    os.umask(old)
    print([oct(os.stat(name).st_mode) for name in ("masked", "masked-d", "open", "open-d")])
    print(os.statvfs(".").f_blocks > 0, os.statvfs(".").f_namemax)


def rights():
    os.chmod(".", 0o777)
    write("secret", b"s", mode=0o600)
    write("shared", b"s", mode=0o644)
    os.mkdir("closed", 0o700)
    child = os.fork()
    if child == 0:
        os.setgid(4242)
        os.setuid(4242)
        print(attempt(read, "secret"), read("shared"), attempt(write, "shared", b"x"), attempt(os.listdir, "closed"), attempt(os.chmod, "shared", 0o777), attempt(os.chown, "shared", 4242, -1))
        write("mine", b"m")
        os.mkdir("mine-d")
        print(os.stat("mine").st_uid, os.stat("mine").st_gid, os.stat("mine-d").st_uid, attempt(os.unlink, "closed/x"))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
    os.mkdir("group")
    os.chown("group", 0, 777)
    os.chmod("group", 0o2775)
    write("group/a", b"")
    os.mkdir("group/d")
    print(os.stat("group/a").st_gid, os.stat("group/d").st_gid, oct(os.stat("group/d").st_mode))


def writing_takes_set_id_away():
    os.chmod(".", 0o777)
    write("p", b"x")
    os.chown("p", 4242, 4242)
    os.chmod("p", 0o6777)
    child = os.fork()
    if child == 0:
        os.setgid(4242)
        os.setuid(4242)
        write("p", b"y", os.O_WRONLY)
        print(oct(os.stat("p").st_mode))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)


def extended_attributes():
    write("a", b"x")
    os.setxattr("a", "user.one", b"1")
    os.setxattr("a", "user.two", b"\0 2" * 100)
    print(sorted(os.listxattr("a")), os.getxattr("a", "user.one"), len(os.getxattr("a", "user.two")))
    print(attempt(os.getxattr, "a", "user.none"), attempt(os.setxattr, "a", "user.one", b"2", os.XATTR_CREATE), attempt(os.setxattr, "a", "user.none", b"2", os.XATTR_REPLACE))
    os.removexattr("a", "user.one")
    os.setxattr(".", "user.of the directory", b"d")
    print(os.listxattr("a"), os.getxattr(".", "user.of the directory"), attempt(os.removexattr, "a", "user.one"))


def special_files():
    os.mkfifo("pipe")
    reader = threading.Thread(target=lambda: print(read("pipe")))
    reader.start()
    write("pipe", b"through the pipe", os.O_WRONLY)
    reader.join()
    server = socket.socket(socket.AF_UNIX)
    server.bind("sock")
    print(stat.S_ISFIFO(os.stat("pipe").st_mode), stat.S_ISSOCK(os.stat("sock").st_mode))
    os.mknod("plain", 0o600)
    print(os.stat("plain").st_size, oct(os.stat("plain").st_mode))


def unnamed_files():
    file = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
    os.write(file, b"now it has one")
    print(os.fstat(file).st_nlink, os.listdir("."))
    print(libc.linkat(-100, b"/proc/self/fd/%d" % file, -100, b"named", 0x400))
    os.close(file)
    print(read("named"), os.stat("named").st_nlink, oct(os.stat("named").st_mode))


def copied_ranges():
    write("from", bytes(range(256)) * 1000)
    source, target = os.open("from", os.O_RDONLY), os.open("to", os.O_RDWR | os.O_CREAT, 0o644)
    done = 0
    while done < 200_000:
        done += os.copy_file_range(source, target, 200_000 - done, 100 + done, 50 + done)
    print(done, os.fstat(target).st_size, os.pread(target, 200_000, 50) == read("from")[100:200_100])
    os.lseek(source, 0, os.SEEK_SET)
    print(os.sendfile(target, source, 0, 1000))


def locks():
    file = os.open("l", os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(file, fcntl.LOCK_EX)
    other = os.open("l", os.O_RDWR)
    print(attempt(fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB))
    fcntl.flock(file, fcntl.LOCK_UN)
    print(attempt(fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB))
    fcntl.lockf(file, fcntl.LOCK_EX, 10)
    child = os.fork()
    if child == 0:
        print(attempt(fcntl.lockf, other, fcntl.LOCK_EX | fcntl.LOCK_NB, 10))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)


def synced():
    file = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
    os.write(file, b"x" * 100_000)
    os.fsync(file)
    os.fdatasync(file)
    os.close(file)
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    print(os.stat("f").st_size, os.access("f", os.W_OK), os.access("none", os.F_OK))


def errors():
    write("f", b"x")
    os.mkdir("d")
    write("d/x", b"x")
    print(attempt(os.mkdir, "d"), attempt(os.mkdir, "f/x"), attempt(os.rmdir, "d"), attempt(os.rmdir, "f"), attempt(os.unlink, "d"), attempt(os.listdir, "f"))
    print(attempt(os.open, "f", os.O_CREAT | os.O_EXCL | os.O_WRONLY), attempt(os.open, "d", os.O_WRONLY), attempt(os.open, "none/x", os.O_CREAT), attempt(os.open, "f/", os.O_RDONLY))
    print(attempt(os.rename, "none", "x"), attempt(os.readlink, "f"), attempt(os.open, "f", os.O_RDONLY | os.O_DIRECTORY))


def renamed_directories():
    os.makedirs("a/b/c")
    for index in range(20):
        write("a/b/c/%d" % index, b"%d" % index)
    held = os.open("a/b/c/7", os.O_RDWR)
    folder = os.open("a/b", os.O_RDONLY | os.O_DIRECTORY)
    os.rename("a/b", "x")
    os.rename("a", "x/c/a")
    os.write(held, b"held")
    print(sorted(os.listdir("x/c")), read("x/c/7"), os.listdir(folder), read("x/c/19"))
    os.rename("x", "y")
    write("y/c/new", b"new")
    print(read("y/c/new"), os.stat("c/new", dir_fd=folder).st_size)



def large_directories():
    for index in range(5000):
        write("file-%04d" % index, b"%d" % index)
    names = os.listdir(".")
    print(len(names), len(set(names)), sum(entry.stat().st_size for entry in os.scandir(".")))
    for name in names[::2]:
        os.unlink(name)
    print(len(os.listdir(".")), all(read(name) == b"%d" % int(name[5:]) for name in os.listdir(".")))


def readers_and_writers():
    size, threads, failures = 1 << 20, 8, []
    write("f", b"\0" * size * threads)

    def work(number):
        chance = random.Random(number)
        file = os.open("f", os.O_RDWR)
        kept = bytearray(size)
        for _ in range(300):
            at = chance.randrange(size - 9000)
            data = chance.randbytes(chance.randrange(1, 9000))
            os.pwrite(file, data, number * size + at)
            kept[at:at + len(data)] = data
            at = chance.randrange(size - 9000)
            if os.pread(file, 9000, number * size + at) != bytes(kept[at:at + 9000]):
                failures.append(number)
        os.close(file)
        if read("f")[number * size:(number + 1) * size] != bytes(kept):
            failures.append(-number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    print(failures, os.stat("f").st_size)


def large_files():
    chance = random.Random(1)
    block = chance.randbytes(1 << 20)
    file = os.open("large", os.O_RDWR | os.O_CREAT, 0o644)
    for index in range(0, 4096, 64):
        os.pwrite(file, block, index << 20)
    os.ftruncate(file, 5 << 30)
    print(os.fstat(file).st_size, all(os.pread(file, 1 << 20, index << 20) == block for index in range(0, 4096, 64)), os.pread(file, 10, (4 << 30) + 5))
    os.close(file)
    os.unlink("large")


def used_by_many():
    def work(number):
        for index in range(200):
            name = "shared-%d" % (index % 20)
            attempt(write, name, b"%d" % number)
            attempt(os.rename, name, "other-%d" % (index % 20))
            attempt(read, name)
            attempt(os.unlink, "other-%d" % ((index + number) % 20))
            attempt(os.mkdir, "d-%d" % (index % 5))
            attempt(os.listdir, ".")
            attempt(os.rmdir, "d-%d" % (index % 5))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    for name in os.listdir("."):
        (os.rmdir if os.path.isdir(name) else os.unlink)(name)
    print(os.listdir("."))


if __name__ == "__main__":
    if sys.argv[1] == "names":
        print("\n".join(name for name, value in list(globals().items()) if callable(value) and value.__module__ == "__main__" and value.__code__.co_argcount == 0))
    else:
        os.chdir(sys.argv[2])
        globals()[sys.argv[1]]()
