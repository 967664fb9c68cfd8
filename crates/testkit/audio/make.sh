#!/usr/bin/env bash
# Makes music/ and golden.json again. Needs cargo, ffmpeg (with libmp3lame, libvorbis, libopus), fpcalc and python3.
# Encoders differ between versions, so a new run gives new hashes: commit both together.
set -euo pipefail
cd "$(dirname "$0")"
raw=$(mktemp -d)
trap 'rm -rf "$raw"' EXIT
rm -rf music
cargo run --quiet -p testkit --example raw_audio -- songs "$raw"
ffmpeg -loglevel error -f lavfi -i "color=0x2a6f97:s=48x48,drawbox=12:12:24:24:orange:fill" -frames:v 1 "$raw/cover.png"

# encode SONG TARGET ALBUM-ARTIST ARTIST ALBUM TITLE TRACK DISC YEAR [ffmpeg options..]
encode() {
    local song=$1 target="music/$2" album_artist=$3 artist=$4 album=$5 title=$6 track=$7 disc=$8 year=$9
    shift 9
    mkdir -p "$(dirname "$target")"
    ffmpeg -loglevel error -bitexact -i "$raw/$song.wav" "${inputs[@]}" -map_metadata -1 \
        -metadata title="$title" -metadata artist="$artist" -metadata album="$album" \
        -metadata album_artist="$album_artist" -metadata track="$track" -metadata disc="$disc" \
        -metadata date="$year" "$@" -bitexact "$target"
}
inputs=()

harbour="Harbour Lights"
encode mp3-vbr "$harbour/Tides/01 Slow Water.mp3" "$harbour" "$harbour" Tides "Slow Water" 1/3 1/1 2019 \
    -c:a libmp3lame -q:a 9 -flags:a -bitexact -fflags -bitexact -id3v2_version 3 \
    -metadata replaygain_track_gain="-4.20 dB" -metadata replaygain_track_peak=0.812345
encode flac "$harbour/Tides/02 Northern Pier.flac" "$harbour" "$harbour feat. Ida Møller" Tides "Northern Pier" 2/3 1/1 2019 \
    -c:a flac -compression_level 12 -metadata genre=Pop \
    -metadata replaygain_track_gain="-3.10 dB" -metadata replaygain_track_peak=0.701 \
    -metadata replaygain_album_gain="-3.80 dB" -metadata replaygain_album_peak=0.812345
encode mp3-cbr "$harbour/Tides/03 Mono Radio.mp3" "$harbour" "$harbour" Tides "Mono Radio" 3/3 1/1 2019 \
    -c:a libmp3lame -b:a 32k -flags:a -bitexact -fflags -bitexact -id3v2_version 4 -write_id3v1 1
encode vorbis "Ночной Трамвай/Кольцо/01 Последняя остановка.ogg" "Ночной Трамвай" "Ночной Трамвай" Кольцо \
    "Последняя остановка" 1/2 1/1 2021 -c:a libvorbis -q:a -1
encode opus "Ночной Трамвай/Кольцо/02 Снег на рельсах.opus" "Ночной Трамвай" "Ночной Трамвай" Кольцо \
    "Снег на рельсах" 2/2 1/1 2021 -c:a libopus -b:a 20k -metadata R128_TRACK_GAIN=-512
inputs=(-i "$raw/cover.png")
encode aac "雨の駅/Ästhetik & Übermut/1-01 夜明け前.m4a" "雨の駅" "雨の駅" "Ästhetik & Übermut" "夜明け前" 1/2 1/2 2016 \
    -map 0:a -map 1:v -c:v copy -disposition:v attached_pic -c:a aac -b:a 40k
inputs=()
encode alac "雨の駅/Ästhetik & Übermut/2-02 Señal Perdida.m4a" "雨の駅" "雨の駅" "Ästhetik & Übermut" "Señal Perdida" 2/2 2/2 2016 \
    -c:a alac
encode adts "Various Artists/Café Sessions/07 Tiny Room.aac" "Various Artists" "Quiet Ferry Club" "Café Sessions" \
    "Tiny Room" 7/9 1/1 2012 -c:a aac -b:a 32k -f adts -write_id3v2 1
encode wav "Various Artists/Café Sessions/08 Espresso.wav" "Various Artists" "Duo Grün" "Café Sessions" Espresso 8/9 1/1 2012 \
    -c:a pcm_s16le
encode aiff "Various Artists/Café Sessions/09 Last Orders.aiff" "Various Artists" "Duo Grün" "Café Sessions" "Last Orders" 9/9 1/1 2012 \
    -c:a pcm_s16be -write_id3v2 1
encode album "Kassettenkinder/Seite A/Seite A.ogg" Kassettenkinder Kassettenkinder "Seite A" "Seite A" 1/1 1/1 1987 \
    -c:a libvorbis -q:a -1

# add FILE RECORDING RELEASE ARTIST ISRC: ids made up for these files.
add() {
    cargo run --quiet -p testkit --example raw_audio -- ids "$@"
}
add "music/$harbour/Tides/01 Slow Water.mp3" 6f9c1f4e-0d0b-4f6a-9a53-3b1f6f1c7a10 \
    0b8c53a7-7c2e-4f0e-8f1d-54d9a0d6e2b3 d2b1a0ce-93b5-4c53-9a2f-7f5e4c1b8a64 XXTST2400001
add "music/$harbour/Tides/02 Northern Pier.flac" a4e7d2c9-51f3-4b8e-b0d6-2c7f98e3a511 \
    0b8c53a7-7c2e-4f0e-8f1d-54d9a0d6e2b3 d2b1a0ce-93b5-4c53-9a2f-7f5e4c1b8a64 XXTST2400002
add "music/雨の駅/Ästhetik & Übermut/1-01 夜明け前.m4a" 1c5d8b70-e2a6-4f39-8d14-b90f6a7c3e25 \
    f37a9e01-64cb-4d52-a8e7-13d5c0b9f846 8e20f6b4-0a9d-4c71-95b3-d6e1f7a8c032 XXTST2400003

./golden.py > golden.json
du -b -d 0 music
